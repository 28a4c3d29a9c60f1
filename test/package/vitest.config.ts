import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** The package as npm delivers it. Apart from the suite, because it builds dist/ and asks the registry for dependencies. */
export default defineConfig({
  root,
  test: {
    include: ['test/package/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['default', './scripts/test-reporter.ts'],
  },
})
