import { Command } from 'commander'
import { inspectCommand } from './weights/inspect.ts'
import { openCommand } from './weights/open.ts'
import { releaseKeyCommand } from './weights/release-key.ts'
import { rewrapCommand } from './weights/rewrap.ts'
import { sealCommand } from './weights/seal.ts'

/** `vouchsafe weights seal|open|rewrap|release-key|inspect`. Keys come from files alone: what stands on a command line is seen by others. */
export function weightsCommand(): Command {
  const weights = new Command('weights').description('encrypt models, open them, change their keys').exitOverride()
  for (const command of [sealCommand, openCommand, rewrapCommand, releaseKeyCommand, inspectCommand])
    weights.addCommand(command())
  return weights
}
