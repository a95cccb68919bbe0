'use strict';

const { metrics, recent, sessions } = require('./platform');
const { attempt } = require('./rate-limiter');

class LoginService {
  constructor() {
    this.requests = 0;
    this.refused = 0;
  }

  login({ user, address }) {
    const now = 1_718_000_000_000 + this.requests++ * 40;
    if (!attempt(address, now)) {
      this.refused++;
      return { status: 429 };
    }
    sessions.set(user, { user, address, since: now });
    recent.push({ user, address });
    metrics.observe('login', 1);
    return { status: 204 };
  }
}

module.exports = { LoginService };
