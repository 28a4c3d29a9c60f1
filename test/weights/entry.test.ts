import { expect, it } from 'vitest'
import * as entry from '../../src/weights/index.ts'

it('publishes these names and no others', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'inspectModel',
    'modelKeyFile',
    'newModelKey',
    'openModel',
    'parseModelKey',
    'readKeyFile',
    'releasedModelKey',
    'rewrapModel',
    'sealModel',
    'writeKeyFile',
  ])
})
