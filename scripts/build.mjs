// Makes dist/: declarations from src, one JavaScript file for each entry and each part that entries share, the JSON files,
// and declarations for CommonJS. Entries are those of package.json. Modules are joined because Node needs a millisecond for
// each file it imports; all entries are joined in one run, so that none has a copy of what another has.
// Plain JavaScript for any Node, so that `npm ci` builds on whatever the machine has.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

rmSync(join(root, 'dist'), { recursive: true, force: true })
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

/** What threads are started with: modules that are named at run time alone. */
const WORKERS = ['weights/worker']

// One folder deep, as the modules that ask for files beside `dist` are.
const PARTS = 'parts/[name]-[hash].js'
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  input: Object.fromEntries(
    [...Object.values(manifest.exports).map((entry) => entry.import?.default), ...Object.values(manifest.bin)]
      .filter((file) => file !== undefined)
      .map((file) => file.replace(/^\.\/dist\/|\.js$/g, ''))
      .concat(WORKERS)
      .map((name) => [name, `src/${name}.ts`]),
  ),
  external: /^[^./]/,
})
await bundle.write({ dir: 'dist', chunkFileNames: PARTS })
await bundle.close()

for (const file of readdirSync(join(root, 'src'), { recursive: true })) {
  if (file.endsWith('.json')) cpSync(join(root, 'src', file), join(root, 'dist', file))
}

for (const entry of Object.values(manifest.exports)) {
  if (entry.require !== undefined) await declareForCommonJs(entry.require.types, entry.require.default)
}

for (const command of Object.values(manifest.bin)) {
  if (existsSync(join(root, command))) chmodSync(join(root, command), 0o755)
}

/**
 * Node's `require` loads our modules as they are; TypeScript's settings node16 and node18 refuse to. For them each entry
 * has a declaration file that counts as CommonJS and takes every type from the module's own declarations.
 */
async function declareForCommonJs(declaration, module) {
  if (!existsSync(join(root, module))) return
  const file = `'./${basename(module)}'`
  const asModule = `{ 'resolution-mode': 'import' }`
  const lines = [`export type * from ${file} with ${asModule}`]
  for (const [name, value] of Object.entries(await import(pathToFileURL(join(root, module)).href))) {
    lines.push(`export declare const ${name}: typeof import(${file}, { with: ${asModule} }).${name}`)
    // A local name hides the type of the same name, which the first line would bring.
    if (typeof value === 'function' && /^class\b/.test(value.toString())) {
      lines.push(`export type ${name} = import(${file}, { with: ${asModule} }).${name}`)
    }
  }
  writeFileSync(join(root, declaration), `${lines.join('\n')}\n`)
}
