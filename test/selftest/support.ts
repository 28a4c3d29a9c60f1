import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type SelftestSettings, selftest } from '../../src/cli/selftest/run.ts'
import type { Source } from '../../src/cli/selftest/sources.ts'
import { savedCollector } from '../../src/collect/index.ts'
import { prepareCollateral } from '../../src/index.ts'
import type { SelftestReport } from '../../src/selftest/report.ts'
import { ASKED, NOW, type Scene } from '../reject/stage.ts'

export type Changes = Partial<Omit<SelftestSettings, 'collateral' | 'injectedAnchors'>>

/** How the stage is judged: at its time, with the collateral and the roots of the scene. */
export async function settingsFor(
  { collateral, anchors }: Pick<Scene, 'collateral' | 'anchors'>,
  changes: Changes = {},
): Promise<SelftestSettings> {
  const files = collateral.map((bytes, i) => ({ name: `file-${i}`, bytes }))
  return {
    clock: () => NOW,
    clockFaults: [],
    policies: [],
    gpus: undefined,
    answered: ASKED,
    referenceValues: [],
    supply: null,
    random: new Uint8Array(32).fill(3),
    tokenOf: undefined,
    ...changes,
    collateral: (await prepareCollateral(files)).collateral,
    injectedAnchors: anchors,
  }
}

export const sourceOf = (source: Partial<Source>): Source => ({
  ...{ label: 'the stage', isSaved: false, collectors: [], tpm: undefined, unasked: [], identifiers: [] },
  ...source,
})

let folder: string | undefined
let files = 0
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

/** The self-test of evidence that lies in a file. */
export async function tried(scene: Scene, changes: Changes = {}): Promise<SelftestReport> {
  if (!(scene.evidence instanceof Uint8Array)) throw new TypeError('one document')
  folder ??= mkdtempSync(join(tmpdir(), 'vouchsafe-selftest-'))
  const path = join(folder, `evidence-${files++}.json`)
  writeFileSync(path, scene.evidence)
  const source = sourceOf({ isSaved: true, collectors: [savedCollector(path)] })
  return selftest(source, await settingsFor(scene, changes))
}
