import { Command } from 'commander'
import { writeKeyFile } from '../../weights/index.ts'
import { UsageError } from '../input.ts'
import { bold, green, safe } from '../style.ts'
import { answer, onFiles } from './answer.ts'
import { keyFrom } from './keys.ts'

interface ReleaseKeyCommandOptions {
  readonly key: string
  readonly out: string
  readonly json?: boolean
}

/** `vouchsafe weights release-key --key FILE --out FILE`: what is registered with a broker. */
export const releaseKeyCommand = (): Command =>
  new Command('release-key')
    .description('write the key that a broker may release: it opens the model and signs nothing')
    .requiredOption('--key <file>', 'key file of the model')
    .requiredOption('--out <file>', 'a new file, mode 600, for `vouchsafe keys register --secret`')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(releaseKey)

async function releaseKey({ key, out, json }: ReleaseKeyCommandOptions): Promise<void> {
  const released = { ...(await keyFrom(key)), signing: undefined }
  await onFiles(() => writeKeyFile(out, released)).catch((error) => {
    const isThere = error instanceof UsageError && error.message.endsWith('EEXIST')
    throw isThere ? new UsageError(`${out} is there already`) : error
  })
  answer({ ok: true, value: out }, key, json === true, {
    asJson: (file) => ({ file }),
    asText: (file) => `${green('written')}  ${bold(safe(file))}  without the key that signs`,
  })
}
