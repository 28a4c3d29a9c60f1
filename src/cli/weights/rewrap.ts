import { Command } from 'commander'
import { rewrapModel } from '../../weights/index.ts'
import { bold, green, safe } from '../style.ts'
import { answer, onFiles } from './answer.ts'
import { keyFrom, keyOutside, withKey } from './keys.ts'

interface RewrapCommandOptions {
  readonly key: string
  readonly to?: string
  readonly newKey?: string
  readonly json?: boolean
}

/** `vouchsafe weights rewrap IN --key OLD (--to NEW | --new-key FILE)`. */
export const rewrapCommand = (): Command =>
  new Command('rewrap')
    .description('put a sealed model under another key, in place; its tensors stay as they are')
    .argument('<in>', 'the folder of a sealed model, or one CryptoTensors file')
    .requiredOption('--key <file>', 'key file that the model is under now')
    .option('--to <file>', 'key file that it gets, with the private signing key')
    .option('--new-key <file>', 'make that key and write it there')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(rewrap)

async function rewrap(input: string, options: RewrapCommandOptions): Promise<void> {
  for (const file of [options.key, options.to, options.newKey]) await keyOutside(file, [input])
  const from = await keyFrom(options.key)
  const keys = { existing: options.to, fresh: options.newKey, name: '--to' }
  const outcome = await withKey(keys, (to) => onFiles(() => rewrapModel({ input, from, to })))
  answer(outcome, input, options.json === true, {
    asJson: ({ files }) => ({ files }),
    asText: ({ files }) =>
      [`${green('rewrapped')}  ${bold(safe(input))}`, ...files.map((name) => `  ${safe(name)}`)].join('\n'),
  })
}
