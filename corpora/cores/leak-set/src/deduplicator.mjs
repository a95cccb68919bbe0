// Messages may come twice. The leak: the broker repeats a message within minutes, but its id is kept for ever.
const seenIds = new Set();

let duplicates = 0;

export function isDuplicate(message) {
  if (seenIds.has(message.id)) {
    duplicates++;
    return true;
  }
  seenIds.add(message.id);
  return false;
}

export const duplicateCount = () => duplicates;
