import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, fits, type Surroundings, versionIn } from '../../src/locate';

function around(files: string[], more: Partial<Surroundings> = {}): Surroundings {
  return {
    setting: '',
    bundled: '/ext/server/bytecost',
    path: '/usr/bin:/home/me/.cargo/bin/',
    home: '/home/me',
    isWindows: false,
    isFile: (path) => files.includes(path),
    ...more,
  };
}

test('the setting goes before the bundled server, and that before PATH', () => {
  const all = ['/opt/bytecost', '/ext/server/bytecost', '/usr/bin/bytecost'];
  assert.deepEqual(find(around(all, { setting: '/opt/bytecost' })), { path: '/opt/bytecost', from: 'setting' });
  assert.deepEqual(find(around(all)), { path: '/ext/server/bytecost', from: 'bundled' });
  assert.deepEqual(find(around(['/usr/bin/bytecost'])), { path: '/usr/bin/bytecost', from: 'path' });
  assert.equal(find(around([])), undefined);
});

test('a setting that names nothing does not yield another program', () => {
  const all = ['/ext/server/bytecost', '/usr/bin/bytecost', 'bytecost', './bytecost', '/usr/bin/./bytecost'];
  for (const setting of ['/nowhere', './bytecost', 'bin/bytecost', '../usr/bin/bytecost']) {
    assert.equal(find(around(all, { setting })), undefined, setting);
  }
});

test('a setting may be a name on PATH or begin at home', () => {
  assert.equal(find(around(['/home/me/.cargo/bin/bytecost-dev'], { setting: 'bytecost-dev' }))?.path, '/home/me/.cargo/bin/bytecost-dev');
  assert.equal(find(around(['/home/me/b/bytecost'], { setting: ' ~/b/bytecost ' }))?.path, '/home/me/b/bytecost');
});

test('folders of PATH that depend on where one is are passed over', () => {
  const all = ['bytecost', './bytecost', '/bytecost', 'bin/bytecost'];
  assert.equal(find(around(all, { path: '.::bin:' })), undefined);
});

test('Windows has its own separators, drives and endings', () => {
  const windows = { isWindows: true, bundled: 'C:\\ext\\bytecost.exe', path: 'bin;D:\\tools\\;\\\\host\\share' };
  assert.equal(find(around(['D:\\tools\\bytecost.exe', 'bin\\bytecost.exe'], windows))?.path, 'D:\\tools\\bytecost.exe');
  assert.equal(find(around(['\\\\host\\share\\bytecost.exe'], windows))?.path, '\\\\host\\share\\bytecost.exe');
  assert.equal(find(around(['c:/x/b.exe'], { ...windows, setting: 'c:/x/b.exe' }))?.from, 'setting');
});

test('the version is read from what bytecost prints, and from nothing else', () => {
  assert.equal(versionIn('bytecost 0.1.0\n'), '0.1.0');
  assert.equal(versionIn('bytecost 1.2.3-rc.1'), '1.2.3-rc.1');
  for (const other of ['', 'Python 3.14.0', '0.1.0', 'bytecost', 'bytecostx 0.1.0']) {
    assert.equal(versionIn(other), undefined, other);
  }
});

test('versions fit within what semantic versioning promises', () => {
  for (const [server, extension, expected] of [
    ['0.1.0', '0.1.9', true],
    ['0.2.0', '0.1.0', false],
    ['1.0.0', '1.7.2', true],
    ['1.0.0', '0.1.0', false],
    ['2.0.0', '1.0.0', false],
  ] as const) {
    assert.equal(fits(server, extension), expected, `${server} ${extension}`);
  }
});
