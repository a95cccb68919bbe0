'use strict';

// Remembers the results of a function by a key made from its arguments.
function memoize(calculate, keyOf = JSON.stringify) {
  function memoized(...args) {
    const key = keyOf(args);
    if (memoized.cache.has(key)) return memoized.cache.get(key);
    const result = calculate.apply(this, args);
    memoized.cache.set(key, result);
    return result;
  }
  memoized.cache = new Map();
  return memoized;
}

module.exports = { memoize };
