'use strict';

// Sessions that were used before. The leak: nothing is ever deleted from it.
const cache = new Map();

function remember(key, session) {
  cache.set(key, session);
}

module.exports = { remember };
