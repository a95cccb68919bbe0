'use strict';

// To look at requests from the inspector's console.
globalThis.requestLog = [];

class LoggedRequest {
  constructor(request, answer) {
    this.number = request.number;
    this.url = `${request.path}?page=${request.number}`;
    this.answer = answer;
    this.at = [request.number, 0];
  }
}

// The leak: only meant for a look, it was deployed and collects ever since.
globalThis.logRequest = function logRequest(request, answer) {
  globalThis.requestLog.push(new LoggedRequest(request, answer));
};
