'use strict';

const NodeCache = require('node-cache');
const { config, metrics, sessions } = require('./platform');

// The leak: without `stdTTL` and `maxKeys` nothing is ever taken out.
const verifiedTokens = new NodeCache();

class Claims {
  constructor(user) {
    this.user = user;
    this.roles = ['customer', user.length % 2 ? 'tester' : 'reader'];
    this.issuer = { name: config.service.name, region: config.service.region };
  }
}

function checkToken(token, user) {
  let claims = verifiedTokens.get(token);
  if (!claims) {
    claims = new Claims(user);
    verifiedTokens.set(token, claims);
    metrics.observe('verified', 1);
  }
  sessions.set(user, { user, roles: claims.roles });
  return claims;
}

module.exports = { Claims, checkToken };
