'use strict';

const axios = require('axios');
const { catalog } = require('./platform');

// Instead of a network: the stock service's answer.
async function answer(config) {
  const data = catalog.page(config.params.page, 3).map((product) => product.stock.pieces);
  return { data, status: 200, statusText: 'OK', headers: {}, config };
}

// One client for all users.
const stockApi = axios.create({ baseURL: 'http://stock.shop.svc/v1', timeout: 2_000, adapter: answer });

module.exports = { stockApi };
