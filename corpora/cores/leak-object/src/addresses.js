'use strict';

// IPv6 addresses as privacy extensions make them: a client has a new one every day. One request in three comes again.
function addressOf(request) {
  const client = request - (request % 3 === 2 ? 1 : 0);
  const low = (Math.imul(client, 2_246_822_519) >>> 0).toString(16).padStart(8, '0');
  return `2001:db8:${(client % 4096).toString(16)}:17::${low.slice(0, 4)}:${low.slice(4)}:${client.toString(16)}`;
}

module.exports = { addressOf };
