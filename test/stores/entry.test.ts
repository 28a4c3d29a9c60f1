import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

/** Whether Node's SQLite is there after this source file was imported, in a process of its own. */
function loadsSqlite(source: string): boolean {
  const program = `await import(${JSON.stringify(resolve(source))})
    console.log(process.moduleLoadList.some((name) => name.endsWith(' sqlite')))`
  const stdout = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
  return stdout.trim() === 'true'
}

it('is the stores entry that loads node:sqlite, never the library', () => {
  expect(loadsSqlite('src/index.ts')).toBe(false)
  expect(loadsSqlite('src/stores/index.ts')).toBe(true)
})
