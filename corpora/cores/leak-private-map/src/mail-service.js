'use strict';

const { catalog, metrics, recent } = require('./platform');
const { templates } = require('./template-cache');

const CAMPAIGNS = Array.from({ length: 12 }, (_, i) => `Dear {name},\n\nyour order #ORDER# of {title} (campaign ${i}) is on its way.\n{carrier} will bring it on {day}.\n\nYours, {shop}\n`);

class MailService {
  async send({ to, campaign, order }) {
    const text = CAMPAIGNS[campaign].replace('#ORDER#', `#${order}`);
    const body = templates.get(text).render({ name: to, title: catalog.at(order).title, carrier: 'Postbote', day: 'Monday', shop: 'shop' });
    recent.push({ to, bytes: body.length });
    metrics.observe('mail', body.length);
    return body;
  }
}

module.exports = { MailService };
