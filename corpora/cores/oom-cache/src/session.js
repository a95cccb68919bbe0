'use strict';

class UserSession {
  constructor(id) {
    this.id = id;
    this.user = `user-${id}@example.com`;
    this.createdAt = new Date();
    this.cart = [id, id + 1, id + 2];
    this.settings = { theme: 'dark', locale: 'en-GB' };
  }
}

module.exports = { UserSession };
