'use strict';

// The bundler rollup on a project of many modules. When all modules are parsed and linked, V8 writes its snapshot and
// the process aborts at once.
const v8 = require('v8');
const { rollup } = require('rollup');
const { projectPlugin } = require('./src/project');

const MODULES = Number(process.env.MODULES ?? 220);

function renderStart() {
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

async function bundle() {
  const build = await rollup({ input: 'module0', plugins: [projectPlugin(MODULES, { renderStart })] });
  const { output } = await build.generate({ format: 'cjs', sourcemap: true });
  console.log(output[0].code.length);
}

bundle();
