"""Everything the user can do, as rows; menus, shortcuts, the command palette and help derive from them."""
