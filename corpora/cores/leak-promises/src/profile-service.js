'use strict';

const { catalog, config, metrics } = require('./platform');
const { database } = require('./database');

class ProfileRequest {
  constructor(request) {
    this.request = request;
    this.timings = new Array(8).fill(0);
    this.trace = { id: `trace-${request.id}`, region: config.service.region };
  }
}

async function loadProfile(context) {
  const suggestions = catalog.page(context.request.id, 6).map(({ sku, price }) => ({ sku, price }));
  await database.ready;
  return { ...database.find(context.request.user), suggestions };
}

class ProfileService {
  accepted = 0;
  answered = 0;

  async handle(request) {
    this.accepted++;
    const context = new ProfileRequest(request);
    metrics.observe('profile', 1);
    const profile = await loadProfile(context);
    this.answered++;
    return { status: 200, body: JSON.stringify(profile) };
  }
}

module.exports = { ProfileRequest, ProfileService };
