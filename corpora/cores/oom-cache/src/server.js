'use strict';

const { UserSession } = require('./session');
const { remember } = require('./cache');

function handleRequest(request) {
  const session = new UserSession(request.id);
  remember(`session:${request.id}`, session);
  return { status: 200, body: `hello ${session.user}` };
}

module.exports = { handleRequest };
