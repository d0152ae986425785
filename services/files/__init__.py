"""Files and folders that REX makes."""
