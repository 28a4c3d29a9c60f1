import { Command } from 'commander'
import { fetchCommand } from './collateral/fetch.ts'
import { importCommand } from './collateral/import.ts'
import { packCommand } from './collateral/pack.ts'
import { serveCommand } from './collateral/serve.ts'
import { showCommand } from './collateral/show.ts'

/** `vouchsafe collateral`: what vendors sign about their products, fetched, kept, packed, shown, served and taken in. */
export function collateralCommand(): Command {
  const command = new Command('collateral')
    .description('fetch, keep, pack, show and serve what vendors sign')
    .exitOverride()
  for (const make of [fetchCommand, packCommand, showCommand, serveCommand, importCommand]) command.addCommand(make())
  return command
}
