/** What a legacy has beside the state machine's part, of a process that has counted nothing. */
export const nothingCounted = {
  sinceEpochMs: 0,
  advertsSent: 0,
  advertsReceived: 0,
  becameMaster: 0,
  drops: {},
  identification: 0,
  sequence: 0,
};
