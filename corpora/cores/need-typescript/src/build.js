'use strict';

const path = require('path');
const ts = require('typescript');

class Build {
  constructor(directory, onEmit) {
    this.directory = directory;
    this.onEmit = onEmit;
    this.written = 0;
  }

  // The whole program is checked and written in one call: what it needs is on the stack until it returns.
  run() {
    const { config } = ts.readConfigFile(path.join(this.directory, 'tsconfig.json'), ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, this.directory);
    const program = ts.createProgram(fileNames, options);
    const diagnostics = ts.getPreEmitDiagnostics(program);
    program.emit(undefined, (file, text) => this.write(file, text));
    return diagnostics.length;
  }

  write(file, text) {
    this.written += text.length;
    this.onEmit(file, this.written);
  }
}

module.exports = { Build };
