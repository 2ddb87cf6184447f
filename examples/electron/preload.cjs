// A sandboxed preload: hands the port on to the page, and nothing else.
const { ipcRenderer } = require('electron');

ipcRenderer.once('frames', (event) => {
  window.postMessage('frames', '*', event.ports);
});
