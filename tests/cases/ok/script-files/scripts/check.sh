test -e "/run/$1/ready"
