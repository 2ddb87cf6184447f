// A vitest reporter that keeps, in the file KVS_RUNNING, which tests run at this moment: a run that is
// ended from outside writes no report, and what it hung in is what one wants to know.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export default class Running {
  #files = new Map();
  #path = process.env.KVS_RUNNING;

  onTestModuleStart({ relativeModuleId, moduleId }) {
    this.#files.set(moduleId, { file: relativeModuleId, tests: new Set() });
    this.#write();
  }

  onTestCaseReady(test) {
    this.#files.get(test.module.moduleId)?.tests.add(test.fullName);
    this.#write();
  }

  onTestCaseResult(test) {
    this.#files.get(test.module.moduleId)?.tests.delete(test.fullName);
    this.#write();
  }

  onTestModuleEnd({ moduleId }) {
    this.#files.delete(moduleId);
    this.#write();
  }

  #write() {
    if (this.#path === undefined) return;
    const rows = [...this.#files.values()].flatMap(({ file, tests }) =>
      tests.size === 0 ? [file] : [...tests].map((test) => `${file}: ${test}`),
    );
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(this.#path, JSON.stringify(rows));
  }
}
