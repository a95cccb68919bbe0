'use strict';

// die() - write down the JavaScript stack as V8 itself sees it, then abort at that very place.
//
// stack.json: the frames below die(), innermost first; stack.txt: the same as the plain text of `error.stack`.
// die() itself is in neither: between the note and the abort it moves on, its callers do not.

const fs = require('fs');

function callSiteToJson(site) {
  const ask = (question) => {
    try {
      return site[question]() ?? null;
    } catch {
      return null; // the receiver is a revoked proxy, or the question is unknown to this V8
    }
  };
  return {
    function: ask('getFunctionName'),
    file: ask('getFileName'),
    line: ask('getLineNumber'),
    column: ask('getColumnNumber'),
    type: ask('getTypeName'),
    method: ask('getMethodName'),
    constructor: ask('isConstructor'),
    toplevel: ask('isToplevel'),
    native: ask('isNative'),
    eval: ask('isEval'),
    evalOrigin: ask('isEval') ? ask('getEvalOrigin') : null,
    async: ask('isAsync'),
    promiseAll: ask('isPromiseAll'),
    text: String(site),
  };
}

function capture(asFrames) {
  const limit = Error.stackTraceLimit;
  const prepare = Error.prepareStackTrace;
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = asFrames ? (error, sites) => sites.map(callSiteToJson) : undefined;
  const holder = {};
  Error.captureStackTrace(holder, die);
  const stack = holder.stack;
  Error.stackTraceLimit = limit;
  Error.prepareStackTrace = prepare;
  return stack;
}

function die(abort = process.abort) {
  fs.writeFileSync('stack.json', JSON.stringify(capture(true), null, 1));
  fs.writeFileSync('stack.txt', capture(false) + '\n');
  abort();
}

module.exports = { die };
