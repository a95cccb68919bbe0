'use strict';

class ShopSession {
  constructor(id, user, suggestions) {
    this.id = id;
    this.user = user;
    this.visited = [];
    this.basket = { lines: [], currency: 'EUR' };
    this.suggestions = suggestions;
  }

  visit(path) {
    this.visited.push({ path, at: this.visited.length });
  }
}

module.exports = { ShopSession };
