look() {
  test -e /srv
}
