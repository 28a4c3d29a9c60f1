import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { median } from './measure.ts'

const LIBRARY = fileURLToPath(new URL('../dist/index.js', import.meta.url))

/** Milliseconds that a fresh process takes longer when it imports the built library than when it imports nothing. */
export function importCost(rounds: number): {
  readonly empty: number
  readonly library: number
  readonly over: number
} {
  if (!existsSync(LIBRARY)) throw new TypeError('dist/ is missing: npm run build')
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-import-'))
  try {
    const empty = join(folder, 'empty.mjs')
    const library = join(folder, 'library.mjs')
    writeFileSync(empty, 'export {}\n')
    writeFileSync(library, `import ${JSON.stringify(pathToFileURL(LIBRARY).href)}\n`)
    const pairs = Array.from({ length: rounds }, () => [milliseconds(empty), milliseconds(library)] as const)
    return {
      empty: median(pairs.map(([base]) => base)),
      library: median(pairs.map(([, full]) => full)),
      over: median(pairs.map(([base, full]) => full - base)),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function milliseconds(file: string): number {
  const start = performance.now()
  execFileSync(process.execPath, [file], { stdio: 'inherit' })
  return performance.now() - start
}
