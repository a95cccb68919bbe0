'use strict';

const { catalog, metrics } = require('./platform');
const { ShopSession } = require('./session');

const DAY = 24 * 60 * 60 * 1_000;

class SessionService {
  opened = 0;
  #open = new Map();

  signIn(user) {
    const id = `session-${++this.opened}`;
    const session = new ShopSession(id, user, catalog.page(this.opened, 5).map(({ sku, price }) => ({ sku, price })));
    this.#open.set(id, session);
    // The leak: signOut() does not clear this timer, so the session lives for a day.
    setTimeout(() => this.expire(session), DAY);
    return session;
  }

  signOut(session) {
    this.#open.delete(session.id);
    metrics.observe('visits', session.visited.length);
  }

  expire(session) {
    if (this.#open.has(session.id)) this.signOut(session);
  }
}

module.exports = { SessionService };
