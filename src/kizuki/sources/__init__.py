"""受領・検査: delivered bytes → accepted rows + quarantined lines, nothing lost."""
