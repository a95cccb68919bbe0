'use strict';

// Responses by URL. The leak: the URL carries a tracking token, so that no two requests share an entry, and nothing
// ever deletes one.
const responsesByUrl = new Map();
let hits = 0;

function cachedResponse(url) {
  const response = responsesByUrl.get(url);
  if (response) hits++;
  return response;
}

function storeResponse(url, response) {
  responsesByUrl.set(url, response);
}

module.exports = { cachedResponse, storeResponse, hitCount: () => hits };
