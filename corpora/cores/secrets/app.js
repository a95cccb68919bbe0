'use strict';

// The application lies in a home folder, as its developer left it.
const vm = require('vm');
const fs = require('fs');
const path = require('path');

const HOME = '/home/PLANTEDALICE/shop/src';

function load(name) {
  const source = fs.readFileSync(path.join(__dirname, 'src', name), 'utf8');
  const module = { exports: {} };
  const wrapped = `(function (module, exports, require) {${source}\n})`;
  new vm.Script(wrapped, { filename: `${HOME}/${name}` }).runInThisContext()(module, module.exports, load);
  return module.exports;
}

const shop = load('shop.js');
shop.fill(2000);

setImmediate(() => shop.checkout('KONTENT201 of an argument', { password: 'SEKRETH202 with spaces' }));
