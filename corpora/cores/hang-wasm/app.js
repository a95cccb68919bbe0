'use strict';

// WebAssembly that does not return: (module (func (export "settle") (loop (br 0)))).
const module_ = new WebAssembly.Module(Buffer.from('0061736d0100000001040160000003020100070a0106736574746c6500000a0901070003400c000b0b', 'hex'));
const { settle } = new WebAssembly.Instance(module_).exports;

function simulate() {
  settle();
}

setTimeout(function onRequest() {
  console.log('ready');
  simulate();
}, 10);
