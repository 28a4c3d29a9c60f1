import { Command } from 'commander'
import { nodeCrypto } from '../../core/crypto/node.ts'
import { policyDigest } from '../../policy/index.ts'
import { type SealedModel, sealModel } from '../../weights/index.ts'
import { checkTerms } from '../../weights/terms.ts'
import { policyFrom } from '../arguments.ts'
import { UsageError } from '../input.ts'
import { bold, dim, green, safe } from '../style.ts'
import { answer, onFiles } from './answer.ts'
import { keyOutside, withKey } from './keys.ts'
import { progressBar, sizeText } from './progress.ts'

interface SealCommandOptions {
  readonly out: string
  readonly key?: string
  readonly newKey?: string
  readonly policy?: string
  readonly broker?: string
  readonly json?: boolean
  readonly progress?: boolean
}

/** `vouchsafe weights seal IN --out DIR (--key FILE | --new-key FILE)`. */
export const sealCommand = (): Command =>
  new Command('seal')
    .description('encrypt a model: safetensors as CryptoTensors, other files as Tink streams, with a signed manifest')
    .argument('<in>', 'the folder of a model, or one file of it')
    .requiredOption('--out <dir>', 'the folder that gets the sealed files, also where one file is sealed')
    .option('--key <file>', 'key file with the private signing key, mode 600')
    .option('--new-key <file>', 'make a key and write it there')
    .option('--policy <policy>', 'the policy that the key is released under, a file or a preset; its digest is noted')
    .option('--broker <url>', 'https address of the broker that releases the key; it is noted')
    .option('--progress', 'show progress where standard error is no terminal, too')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(seal)

async function seal(input: string, options: SealCommandOptions): Promise<void> {
  const terms = { policyDigest: await digestOf(options.policy), brokerUrl: options.broker }
  try {
    checkTerms(terms)
  } catch {
    throw new UsageError(`--broker takes an https URL, not ${options.broker}`)
  }
  for (const file of [options.key, options.newKey]) await keyOutside(file, [input, options.out])
  const bar = progressBar('sealing', options.progress === true)
  const keys = { existing: options.key, fresh: options.newKey, name: '--key' }
  const outcome = await withKey(keys, (key) =>
    onFiles(() =>
      sealModel({
        ...{ input, output: options.out, key },
        ...(terms.policyDigest === undefined ? {} : { policyDigest: terms.policyDigest }),
        ...(terms.brokerUrl === undefined ? {} : { brokerUrl: terms.brokerUrl }),
        ...(bar === undefined ? {} : { onProgress: bar.draw }),
      }),
    ),
  ).finally(() => bar?.end())
  answer(outcome, input, options.json === true, {
    asJson: ({ files, resumed }) => ({
      output: options.out,
      files: files.map(({ path, name, format, sizeBytes, digest }) => ({ path, name, format, sizeBytes, digest })),
      resumed,
    }),
    asText: (model) => sealedText(model, options.out),
  })
}

async function digestOf(policy: string | undefined): Promise<string | undefined> {
  if (policy === undefined) return undefined
  return policyDigest(await policyFrom(policy), (bytes) => nodeCrypto.digest('sha256', bytes))
}

function sealedText({ files, resumed }: SealedModel, output: string): string {
  const lines = files.map(({ name, format, sizeBytes, path }) => {
    const note = resumed.includes(path) ? ', finished before' : ''
    return `  ${safe(name)}  ${dim(`${format}, ${sizeText(sizeBytes)}${note}`)}`
  })
  return [`${green('sealed')}  ${bold(safe(output))}`, ...lines].join('\n')
}
