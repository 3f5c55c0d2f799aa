mkdir -p /run/app
chown app /run/app
