import { Command } from 'commander'
import { sourcesOf } from '../agent/sources.ts'
import { verdictOf } from '../core/outcome.ts'
import { answerRequest, type KekSource } from '../ocicrypt/provider.ts'
import { EXIT } from './exit.ts'
import { faultsForPeople } from './faults.ts'
import { type ServiceOptions, serviceAt } from './fetch-key/service.ts'
import { readBytes, UsageError } from './input.ts'
import { kbsKeks } from './ocicrypt/kbs-source.ts'
import { fileKeks } from './ocicrypt/key-file.ts'

interface Options extends ServiceOptions {
  readonly keyFile?: string
  readonly kbs?: string
  readonly root: string
}

/** `vouchsafe ocicrypt`: the key provider that skopeo, containerd and Confidential Containers call for encrypted images. */
export function ocicryptCommand(): Command {
  return new Command('ocicrypt')
    .description('key provider for encrypted container images: reads a request of ocicrypt on stdin, answers on stdout')
    .option('--key-file <file>', 'JWK set with the keys of images by their ids kbs:///TENANT/TYPE/TAG (mode 0600)')
    .option('--kbs <url>', 'in the confidential machine: get the key from this service for its evidence')
    .option('--ca <file>', 'trust these authorities (PEM) too')
    .option('--plain-http', 'speak plain HTTP to another machine')
    .option('--root <folder>', 'look for the sources of evidence below this folder', '/')
    .exitOverride()
    .action(async (options: Options) => {
      const answer = await answerRequest(await readBytes('-'), await keksOf(options))
      if (answer.ok) process.stdout.write(answer.value)
      else {
        process.stderr.write(`${faultsForPeople(answer.faults)}\n`)
        process.exitCode = answer.faults.some((f) => verdictOf(f) === 'reject') ? EXIT.reject : EXIT.inconclusive
      }
    })
}

async function keksOf(options: Options): Promise<KekSource> {
  const { keyFile, kbs, root } = options
  if ((keyFile === undefined) === (kbs === undefined))
    throw new UsageError('either --key-file or --kbs says where the keys of images are')
  if (keyFile !== undefined) return fileKeks(keyFile)
  return kbsKeks(await serviceAt('--kbs', kbs ?? '', options), await sourcesOf(root))
}
