'use strict';

const { metrics, recent, sessions } = require('./platform');
const { readLegacyCustomers } = require('./legacy');

function startService() {
  const legacyCustomers = readLegacyCustomers();
  let served = 0;

  // The leak: this function is called once, but it needs `legacyCustomers`, and it shares its scope with handle() and
  // status(), which live as long as the service.
  const blockedCustomers = () => legacyCustomers.filter((customer) => customer.flags.blocked).map(({ number }) => number);

  const blocked = new Set(blockedCustomers());
  const imported = legacyCustomers.length;

  function handle(request) {
    served++;
    if (blocked.has(request.user)) return { status: 403 };
    sessions.set(request.user, { user: request.user, path: request.path });
    recent.push(request.path);
    metrics.observe(request.path, 1);
    return { status: 200 };
  }

  function status() {
    return { served, imported };
  }

  return { handle, status };
}

module.exports = { startService };
