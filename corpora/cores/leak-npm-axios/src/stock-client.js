'use strict';

const { stockApi } = require('./stock-api');

class Credentials {
  constructor(user) {
    this.user = user;
    this.token = Array.from({ length: 130 }, (_, i) => `${user}/${i}`);
    this.scopes = ['stock:read', 'stock:reserve', 'catalog:read'];
  }
}

class StockClient {
  // The leak: the interceptor is added to the client of all users, one for each user, and never ejected.
  constructor(user, favourites) {
    const credentials = new Credentials(user);
    this.favourites = favourites;
    stockApi.interceptors.request.use((config) => {
      config.headers['x-user'] = credentials.user;
      return config;
    });
  }

  async pieces(page) {
    const { data } = await stockApi.get('/pieces', { params: { page } });
    return data;
  }
}

module.exports = { StockClient };
