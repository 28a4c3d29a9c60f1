import { Command } from 'commander'
import { openModel } from '../../weights/index.ts'
import { bold, dim, green, safe } from '../style.ts'
import { answer, onFiles } from './answer.ts'
import { keyFrom } from './keys.ts'
import { progressBar } from './progress.ts'

interface OpenCommandOptions {
  readonly out: string
  readonly key: string
  readonly plainTensors?: boolean
  readonly linkTensors?: boolean
  readonly json?: boolean
  readonly progress?: boolean
}

/** `vouchsafe weights open IN --out DIR --key FILE`. */
export const openCommand = (): Command =>
  new Command('open')
    .description('decrypt a sealed model, with every signature and tag verified')
    .argument('<in>', 'the folder of a sealed model, or one CryptoTensors file')
    .requiredOption('--out <dir>', 'the folder that gets the opened files, also where one file is opened')
    .requiredOption('--key <file>', 'key file, mode 600: the owner’s, or what a broker released')
    .option('--plain-tensors', 'also take tensors that the owner left in the clear')
    .option(
      '--link-tensors',
      'leave tensors sealed where they lie, and say where: for Transformers and vLLM (docs/weights.md)',
    )
    .option('--progress', 'show progress where standard error is no terminal, too')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(open)

async function open(input: string, options: OpenCommandOptions): Promise<void> {
  const key = await keyFrom(options.key)
  const bar = progressBar('opening', options.progress === true)
  const outcome = await onFiles(() =>
    openModel({
      ...{ input, output: options.out, key },
      plainTensors: options.plainTensors === true ? 'allow' : 'refuse',
      tensors: options.linkTensors === true ? 'link' : 'open',
      ...(bar === undefined ? {} : { onProgress: bar.draw }),
    }),
  ).finally(() => bar?.end())
  answer(outcome, input, options.json === true, {
    asJson: ({ files, linked, resumed }) => ({ output: options.out, files, linked, resumed }),
    asText: ({ files, linked, resumed }) =>
      [
        `${green('opened')}  ${bold(safe(options.out))}`,
        ...files.map((path) => `  ${safe(path)}${resumed.includes(path) ? dim('  finished before') : ''}`),
        ...linked.map((path) => `  ${safe(path)}${dim('  stays sealed')}`),
      ].join('\n'),
  })
}
