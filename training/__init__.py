"""How the bundled storybook model was made: draw, learn, judge, export."""
