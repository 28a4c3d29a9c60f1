import { Command } from 'commander'
import { answerRequest } from '../ocicrypt/provider.ts'
import { EXIT } from './exit.ts'
import { faultsForPeople } from './faults.ts'
import { readBytes } from './input.ts'
import { fileKeks } from './ocicrypt/key-file.ts'

/** `vouchsafe ocicrypt`: the key provider that skopeo, containerd and Confidential Containers call for encrypted images. */
export function ocicryptCommand(): Command {
  return new Command('ocicrypt')
    .description('key provider for encrypted container images: reads a request of ocicrypt on stdin, answers on stdout')
    .requiredOption(
      '--key-file <file>',
      'JWK set with the keys of images by their ids kbs:///TENANT/TYPE/TAG (mode 0600)',
    )
    .exitOverride()
    .action(async ({ keyFile }: { readonly keyFile: string }) => {
      const answer = await answerRequest(await readBytes('-'), await fileKeks(keyFile))
      if (answer.ok) process.stdout.write(answer.value)
      else {
        process.stderr.write(`${faultsForPeople(answer.faults)}\n`)
        process.exitCode = EXIT.reject
      }
    })
}
