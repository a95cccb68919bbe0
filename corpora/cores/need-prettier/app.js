'use strict';

// The formatter prettier on one very large generated file, with less memory than it needs.
const prettier = require('prettier');
const { generatedSource } = require('./src/source');

function format(source) {
  return prettier.format(source, { parser: 'babel', singleQuote: true, printWidth: 100 });
}

console.log(format(generatedSource(6_000)).length);
