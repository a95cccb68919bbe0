// Code without a plain file: an ES module with top-level await, eval, new Function, vm scripts.
import vm from 'node:vm';
import die from './die.js';
import { evaluate } from './evaluate.mjs';

await new Promise((resolve) => setTimeout(resolve, 1));

const compiled = new vm.Script(
  'function fromScript(next) {\n  return next();\n}\nfromScript',
  { filename: '/virtual/generated script.js', lineOffset: 10, columnOffset: 4 },
).runInThisContext();

export function main() {
  compiled(() => evaluate(die.die));
}

main();
