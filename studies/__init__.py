"""When does LeJEPA learn the world's own variables? Seeded studies, from toy worlds to the arm."""
