'use strict';

// The thread pool of libuv is saturated by password hashes; a file read and a DNS lookup wait in its queue.
const crypto = require('crypto');
const dns = require('dns');
const fs = require('fs');

function hashPassword(user) {
  crypto.pbkdf2(`password of ${user}`, 'salt', 2_000_000_000, 64, 'sha512', () => {});
}

for (let user = 0; user < 10; user++) hashPassword(user);
fs.readFile(__filename, () => {});
dns.lookup('localhost', () => {});

setTimeout(() => console.log('ready'), 200);
