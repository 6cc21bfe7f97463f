/** What a profile asks: everyday sentences of various lengths, in English whatever the model takes. */
export const sampleTexts: readonly string[] = [
  'Where is the nearest library?',
  'The rent is due on the first of the month.',
  'Please bring your passport and a copy of the contract.',
  'The heating has not worked since Monday, and it is very cold in the bedroom.',
  'Can you tell me when the inspector will come?',
  'We have two children, and we need a flat with three rooms.',
  'The key is with the neighbour on the second floor.',
  'You have to sign here and send the form back before Friday.',
];
