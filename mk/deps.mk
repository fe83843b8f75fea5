# System packages: `make deps` installs what is missing (apt, as root or by sudo).
DEBS := gcc g++ make libcmocka-dev libjansson-dev libinih-dev libpng-dev libjpeg62-turbo-dev \
        zlib1g-dev libflatbuffers-dev flatbuffers-compiler
DEPS_STAMP :=
deps:
	@missing=$$(dpkg-query -W -f='$${Status} $${Package}\n' $(DEBS) 2>/dev/null \
	  | awk '/install ok installed/{ok[$$4]=1} END{n=split("$(DEBS)",d," "); \
	         for(i=1;i<=n;i++) if(!ok[d[i]]) printf "%s ",d[i]}'); \
	if [ -n "$$missing" ]; then \
	  line="apt-get install -y --no-install-recommends $$missing"; \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -qq; DEBIAN_FRONTEND=noninteractive $$line; \
	  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
	    sudo apt-get update -qq; sudo DEBIAN_FRONTEND=noninteractive $$line; \
	  else echo "missing packages; run as root: $$line"; exit 1; fi; fi
