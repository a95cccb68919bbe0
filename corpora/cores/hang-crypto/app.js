'use strict';

// A password hash with far too many rounds, computed synchronously in a request.
const crypto = require('crypto');

function hashPassword(password, salt) {
  return crypto.pbkdf2Sync(password, salt, 2_000_000_000, 64, 'sha512');
}

setTimeout(function onLogin() {
  console.log('ready');
  hashPassword('correct horse', 'battery staple');
}, 10);
