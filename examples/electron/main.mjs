// The main process: a window that captures and encodes, a utility process that uploads, and a channel
// between the two. Frames never pass through here.
import { join } from 'node:path';
import { app, BrowserWindow, MessageChannelMain, session, utilityProcess } from 'electron';

const here = import.meta.dirname;

function startUploader() {
  // A process of its own: a slow network or a full disk never holds up the windows.
  const uploader = utilityProcess.fork(join(here, 'utility.mjs'), [], {
    serviceName: 'kinesis-video',
    env: { ...process.env, KVS_STREAM: process.env.KVS_STREAM ?? 'electron-camera' },
  });
  uploader.on('exit', (code) => {
    console.log(`the uploader ended with ${code}`);
    app.quit();
  });
  return uploader;
}

async function main() {
  await app.whenReady();
  session.defaultSession.setPermissionRequestHandler((_contents, permission, allow) => {
    allow(permission === 'media');
  });
  const window = new BrowserWindow({
    webPreferences: { preload: join(here, 'preload.cjs'), sandbox: true, contextIsolation: true },
  });
  await window.loadFile(join(here, 'index.html'));

  const uploader = startUploader();
  const { port1, port2 } = new MessageChannelMain();
  uploader.postMessage({ kind: 'frames' }, [port1]);
  window.webContents.postMessage('frames', undefined, [port2]);

  // The last fragment is stored before the program ends: the utility process says when.
  window.on('close', () => uploader.postMessage({ kind: 'stop' }));
  app.on('window-all-closed', () => {});
}

void main();
